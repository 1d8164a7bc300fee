/** The frame of the console: its places, and the commands of the palette. */
import { IconActivity, IconBuildings, IconChartHistogram, IconHistory, IconHome, IconPlus, IconReceipt } from "@tabler/icons-react";
import { useNavigate } from "react-router";
import { Shell } from "@/components/Shell";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";

export function ConsoleShell() {
  const { t, say } = useI18n();
  const navigate = useNavigate();
  return (
    <Shell
      name={say(boot.title, t.shell.console)}
      groups={[
        {
          items: [
            { to: "/", label: t.shell.overview, icon: <IconHome size={18} />, end: true },
            { to: "/tenants", label: t.tenants.title, icon: <IconBuildings size={18} /> },
            { to: "/billing", label: t.billing.title, icon: <IconReceipt size={18} /> },
            { to: "/analytics", label: t.console.analytics, icon: <IconChartHistogram size={18} /> },
          ],
        },
        {
          label: t.console.run,
          items: [
            { to: "/monitoring", label: t.console.monitoring, icon: <IconActivity size={18} /> },
            { to: "/audit", label: t.audit.title, icon: <IconHistory size={18} /> },
          ],
        },
      ]}
      commands={[{ id: "new", label: t.tenants.create, icon: <IconPlus size={18} />, run: () => void navigate("/tenants/new") }]}
    />
  );
}
