/** What the side and the command palette offer in the tenant UI: from the schema and what I may do. */
import { IconChartBar, IconHome, IconInbox, IconKey, IconPlus, IconReportAnalytics, IconTable, IconUsers } from "@tabler/icons-react";
import { useNavigate } from "react-router";
import type { Command } from "@/components/Palette";
import type { NavGroup } from "@/components/Navigation";
import { keepsPeople } from "@/features/people/people";
import { approvalsOf } from "@/features/workflow/approvals";
import { mayMake } from "@/features/reports/report";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { entityTitle, titleOf } from "@/lib/schema/words";
import type { Entity } from "@/lib/schema/types";
import { useMe } from "@/lib/session/session";

/** Entities people work with: those the platform keeps for a section, and mere links between two others, are not among them. */
export function shownEntities(entities: Record<string, Entity>): Entity[] {
  return Object.values(entities).filter((entity) => entity.may.includes("read") && !entity.added && !isLink(entity));
}

function isLink(entity: Entity): boolean {
  const own = Object.values(entity.fields).filter((field) => field.generated !== "managed" && field.name !== entity.key);
  return entity.label === null && own.length === 2 && own.every((field) => field.references);
}

export function useNavigation(): NavGroup[] {
  const { t, language } = useI18n();
  const schema = useSchema();
  const me = useMe();
  return [
    {
      items: [
        { to: "/", label: t.shell.overview, icon: <IconHome size={18} />, end: true },
        ...(Object.values(schema.entities).some((entity) => approvalsOf(entity).length > 0)
          ? [{ to: "/approvals", label: t.flow.inbox, icon: <IconInbox size={18} /> }]
          : []),
      ],
    },
    {
      label: t.figures.dashboards,
      items: Object.entries(schema.dashboards)
        .slice(1) // the first is the start page
        .map(([name, { title }]) => ({
          to: `/dashboards/${name}`,
          label: titleOf(title, name, language),
          icon: <IconChartBar size={18} />,
        })),
    },
    {
      label: t.reports.reports,
      items: Object.entries(schema.reports)
        .filter(([, report]) => mayMake(report, me))
        .map(([name, { title }]) => ({
          to: `/reports/${name}`,
          label: titleOf(title, name, language),
          icon: <IconReportAnalytics size={18} />,
        })),
    },
    {
      label: t.shell.data,
      items: shownEntities(schema.entities).map((entity) => ({
        to: `/data/${entity.name}`,
        label: entityTitle(entity, language),
        icon: <IconTable size={18} />,
      })),
    },
    {
      label: t.shell.settings,
      items: keepsPeople(me)
        ? [
            { to: "/people", label: t.people.title, icon: <IconUsers size={18} /> },
            { to: "/keys", label: t.keys.title, icon: <IconKey size={18} /> },
          ]
        : [],
    },
  ];
}

export function useCommands(): Command[] {
  const { t, language } = useI18n();
  const schema = useSchema();
  const navigate = useNavigate();
  return shownEntities(schema.entities)
    .filter((entity) => entity.may.includes("create"))
    .map((entity) => ({
      id: `new ${entity.name}`,
      label: t.shell.newOf(entityTitle(entity, language)),
      icon: <IconPlus size={18} />,
      run: () => void navigate(`/data/${entity.name}/new`),
    }));
}
