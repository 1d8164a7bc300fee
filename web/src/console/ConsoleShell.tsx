/** The frame of the console. */
import { IconHome } from "@tabler/icons-react";
import { Shell } from "@/components/Shell";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";

export function ConsoleShell() {
  const { t, say } = useI18n();
  return (
    <Shell
      name={say(boot.title, t.shell.console)}
      groups={[{ items: [{ to: "/", label: t.shell.overview, icon: <IconHome size={18} />, end: true }] }]}
      commands={[]}
    />
  );
}
