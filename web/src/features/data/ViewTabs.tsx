/** The views of the file, side by side. */
import { Tabs } from "@mantine/core";
import { useNavigate, useSearchParams } from "react-router";
import { useI18n } from "@/lib/i18n";
import type { Entity } from "@/lib/schema/types";
import { readable } from "@/lib/schema/words";
import { VIEW_TYPES } from "./viewTypes";

export function ViewTabs({ entity }: { entity: Entity }) {
  const { t, say } = useI18n();
  const navigate = useNavigate();
  const [address] = useSearchParams();
  const shown = Object.entries(entity.views).filter(([name, view]) => (view.type === "list" && name !== "list") || VIEW_TYPES[view.type]);
  if (shown.length === 0) return null;
  const title = (name: string) => {
    const view = entity.views[name]!;
    return Object.keys(view.title).length > 0 ? say(view.title, name) : name === "board" || name === "calendar" ? t.flow[name] : readable(name);
  };
  return (
    <Tabs value={address.get("view") ?? "list"} onChange={(name) => void navigate({ search: name && name !== "list" ? `view=${name}` : "" })}>
      <Tabs.List>
        <Tabs.Tab value="list">{entity.views["list"] ? title("list") : t.table.standard}</Tabs.Tab>
        {shown.map(([name]) => (
          <Tabs.Tab key={name} value={name}>
            {title(name)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  );
}
