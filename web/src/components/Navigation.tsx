/** The list of places at the side, in groups. */
import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { NavLink } from "react-router";
import classes from "./Navigation.module.css";

export interface NavItem {
  to: string;
  label: string;
  icon: ReactNode;
  /** A number that waits for somebody. */
  badge?: ReactNode;
  /** Only this very address is "here". */
  end?: boolean;
}

export interface NavGroup {
  label?: string;
  items: NavItem[];
}

export function Navigation({ groups, onGo, label }: { groups: NavGroup[]; onGo: () => void; label: string }) {
  return (
    <nav aria-label={label} className={classes.nav}>
      {groups
        .filter((group) => group.items.length > 0)
        .map((group, at) => (
          <Stack key={group.label ?? at} gap={2}>
            {group.label && (
              <Text className={classes.label} component="h2">
                {group.label}
              </Text>
            )}
            {group.items.map((item) => (
              <NavLink
                key={item.to}
                to={item.to}
                end={item.end ?? false}
                onClick={onGo}
                className={({ isActive }) => (isActive ? `${classes.link} ${classes.here}` : classes.link!)}
              >
                <span className={classes.icon} aria-hidden>
                  {item.icon}
                </span>
                <span className={classes.text}>{item.label}</span>
                {item.badge}
              </NavLink>
            ))}
          </Stack>
        ))}
    </nav>
  );
}
