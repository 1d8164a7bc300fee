/** The command palette (Ctrl K): every place of the navigation, and what pages offer to do. */
import { Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import { useI18n } from "@/lib/i18n";
import type { NavGroup } from "./Navigation";

export interface Command {
  id: string;
  label: string;
  icon?: ReactNode;
  run: () => void;
}

export function Palette({ groups, commands }: { groups: NavGroup[]; commands: Command[] }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const actions: SpotlightActionGroupData[] = [
    {
      group: t.shell.goTo,
      actions: groups
        .flatMap((group) => group.items)
        .map((item) => ({ id: `go ${item.to}`, label: item.label, leftSection: item.icon, onClick: () => void navigate(item.to) })),
    },
    {
      group: t.shell.actions,
      actions: commands.map(({ id, label, icon, run }) => ({ id, label, leftSection: icon, onClick: run })),
    },
  ].filter(({ actions }) => actions.length > 0);
  return (
    <Spotlight
      actions={actions}
      nothingFound={t.shell.paletteEmpty}
      shortcut={["mod + K", "/"]}
      highlightQuery
      scrollable
      maxHeight={420}
      limit={12}
      searchProps={{ leftSection: <IconSearch size={18} aria-hidden />, placeholder: t.shell.paletteHint, "aria-label": t.shell.palette }}
    />
  );
}
