/** How much is asked, how well it is answered and what is stored: by span and tenant, up to five side by side. */
import { Group, MultiSelect, SegmentedControl, SimpleGrid } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useSearchParams } from "react-router";
import { Page } from "@/components/Page";
import { useI18n } from "@/lib/i18n";
import { useSlugs } from "../tenants/data";
import { Comparison } from "./Comparison";
import { FigurePanel } from "./FigurePanel";
import { FIGURES } from "./figures";
import { SPANS, type Span } from "./ranges";
import { Routes } from "./Routes";

const MOST = 5;

export default function AnalyticsPage() {
  const { t } = useI18n();
  const narrow = useMediaQuery("(max-width: 30em)");
  const words = t.analytics;
  const [asked, setAsked] = useSearchParams();
  const tenants = useSlugs();
  const span: Span = (asked.get("span") ?? "week") in SPANS ? ((asked.get("span") ?? "week") as Span) : "week";
  const chosen = (asked.get("tenants") ?? "").split(",").filter(Boolean).slice(0, MOST);
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(asked);
    if (value) next.set(name, value);
    else next.delete(name);
    setAsked(next, { replace: true });
  };
  return (
    <Page title={t.console.analytics}>
      <Group gap="sm" align="flex-start">
        <SegmentedControl
          aria-label={words.span}
          size={narrow ? "xs" : "sm"}
          fullWidth={narrow}
          value={span}
          onChange={(value) => change("span", value)}
          data={(Object.keys(SPANS) as Span[]).map((value) => ({ value, label: words.spans[value] }))}
        />
        <MultiSelect
          flex="1 1 220px"
          maw={560}
          aria-label={words.tenants}
          placeholder={chosen.length === 0 ? words.allTenants : words.another}
          data={tenants.data ?? []}
          value={chosen}
          onChange={(values) => change("tenants", values.join(","))}
          maxValues={MOST}
          searchable
          clearable
          clearButtonProps={{ "aria-label": words.allTenants }}
          nothingFoundMessage={t.tenants.nothing}
        />
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        {Object.keys(FIGURES).map((name) => (
          <FigurePanel key={name} name={name} span={span} tenants={chosen} />
        ))}
      </SimpleGrid>
      <Comparison span={span} tenants={chosen.length > 1 ? chosen : []} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        <Routes by="route" span={span} tenant={chosen.length === 1 ? chosen[0]! : ""} />
        <Routes by="status" span={span} tenant={chosen.length === 1 ? chosen[0]! : ""} />
      </SimpleGrid>
    </Page>
  );
}
