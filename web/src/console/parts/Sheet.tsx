/** A table that scrolls sideways on a narrow screen, by keyboard too. */
import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./parts.module.css";

interface Properties {
  label: string;
  /** "> " before a head: its column has figures, which end at the right. */
  heads: string[];
  children: ReactNode;
}

export function Sheet({ label, heads, children }: Properties) {
  return (
    <div className={classes.sheet} role="region" aria-label={label} tabIndex={0}>
      <Table verticalSpacing={9} horizontalSpacing="md" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head, at) => (
              <Table.Th key={at} ta={head.startsWith("> ") ? "right" : undefined}>
                {head.replace(/^> /, "")}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </div>
  );
}
