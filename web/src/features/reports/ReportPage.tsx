/** One report of the tenant's file: parameters, totals, chart, table, downloads. */
import { Alert, Button, Group, Menu, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { IconChevronDown, IconDownload, IconInfoCircle, IconMail, IconReportAnalytics } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useParams, useSearchParams } from "react-router";
import { Empty } from "@/components/Empty";
import { Page } from "@/components/Page";
import { Trouble } from "@/components/Trouble";
import { addressOf, get } from "@/lib/api/client";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import type { Report } from "@/lib/schema/types";
import { titleOf } from "@/lib/schema/words";
import { Parameters } from "./Parameters";
import { columnTitle, valueText, type Made } from "./report";
import { drawable, ReportChart } from "./ReportChart";
import { ReportTable } from "./ReportTable";
import classes from "./Report.module.css";

const FORMATS = ["pdf", "xlsx", "csv"] as const;

export default function ReportPage() {
  const { name = "" } = useParams();
  const { t } = useI18n();
  const report = useSchema().reports[name];
  if (report === undefined)
    return (
      <Page title={t.reports.report}>
        <Empty title={t.reports.none} hint={t.reports.noneHint} icon={<IconReportAnalytics size={24} />} />
      </Page>
    );
  return <Shown key={name} name={name} report={report} />;
}

function Shown({ name, report }: { name: string; report: Report }) {
  const { t, language, format } = useI18n();
  const schema = useSchema();
  const [address] = useSearchParams();
  const query = address.toString();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["report", schema.version, name, query],
    queryFn: ({ signal }) => get<Made>(`/reports/v1/${name}${query && `?${query}`}`, signal),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const problem = error ? asProblem(error) : undefined;
  const title = titleOf(report.title, name, language);
  const wrong = problem?.code === "validation.failed" ? problem.errors : [];
  return (
    <Page
      title={title}
      hint={data && <Hint made={data} />}
      actions={<Downloads name={name} query={query} disabled={problem !== undefined || !data} />}
    >
      <Parameters report={report} values={data?.parameters ?? {}} errors={wrong} />
      {wrong.length > 0 ? (
        <Empty title={t.reports.check} hint={t.reports.checkHint} icon={<IconReportAnalytics size={24} />} />
      ) : problem ? (
        <Trouble problem={problem} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <Loading />
      ) : data.rows.length === 0 ? (
        <Empty title={t.reports.empty} hint={t.reports.emptyHint} icon={<IconReportAnalytics size={24} />} />
      ) : (
        <>
          {!data.complete && (
            <Alert variant="light" color="yellow" icon={<IconInfoCircle />}>
              {t.reports.incomplete}
            </Alert>
          )}
          <Top made={data} title={title} />
          {data.columns.some(({ aggregate }) => !aggregate) && <ReportTable made={data} title={title} stale={isFetching} />}
          <Text size="xs" c="dimmed" className="numeric">
            {t.reports.groups(format.number(data.rows.length))} · {t.reports.madeAt(format.moment(data.made_at))}
          </Text>
        </>
      )}
    </Page>
  );
}

/** The totals beside the chart; either may be missing. */
function Top({ made, title }: { made: Made; title: string }) {
  const { t, language, format } = useI18n();
  const schema = useSchema();
  const entity = schema.entities[made.entity]!;
  const figures = made.columns.filter(({ aggregate }) => aggregate);
  const total = made.total ?? (figures.length === made.columns.length ? made.rows[0] : undefined);
  const charts = drawable(made).length > 0;
  if (!total && !charts) return null;
  return (
    <div className={classes.top} data-single={!total || !charts || undefined}>
      {total && (
        <Paper component="section" aria-label={t.reports.totals} withBorder radius="lg" p="md" className={`${classes.paper} ${classes.totals}`}>
          {figures.map((column) => (
            <div key={column.name}>
              <Text size="sm" c="dimmed">
                {columnTitle(schema, entity, column, t.figures, language)}
              </Text>
              <div className={classes.value}>{valueText(schema, entity, column, total[column.name], format, language, "")}</div>
            </div>
          ))}
        </Paper>
      )}
      {charts && <ReportChart made={made} title={title} />}
    </div>
  );
}

function Hint({ made }: { made: Made }) {
  const { t, format } = useI18n();
  if (!made.schedule) return null;
  return (
    <Group gap={6} wrap="nowrap">
      <IconMail size={16} aria-hidden />
      <span>{made.schedule.next_at ? t.reports.mailed(format.moment(made.schedule.next_at)) : t.reports.mailedSometime}</span>
    </Group>
  );
}

function Downloads({ name, query, disabled }: { name: string; query: string; disabled: boolean }) {
  const { t } = useI18n();
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button variant="default" disabled={disabled} leftSection={<IconDownload size={16} aria-hidden />} rightSection={<IconChevronDown size={14} aria-hidden />}>
          {t.reports.download}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t.reports.downloadHint}</Menu.Label>
        {FORMATS.map((form) => (
          <Menu.Item key={form} component="a" href={addressOf(`/reports/v1/${name}.${form}${query && `?${query}`}`)} download={`${name}.${form}`}>
            {t.reports.formats[form]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Loading() {
  return (
    <Stack gap="md">
      <Skeleton h={220} radius="lg" />
      <Skeleton h={320} radius="lg" />
    </Stack>
  );
}
