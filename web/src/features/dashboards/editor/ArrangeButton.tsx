/** The way to the editor of a dashboard, for who may write the tenant's file. */
import { Button } from "@mantine/core";
import { IconLayoutDashboard } from "@tabler/icons-react";
import { Link } from "react-router";
import { useI18n } from "@/lib/i18n";
import { useFile } from "./file";

export function ArrangeButton({ name }: { name: string }) {
  const { t } = useI18n();
  const { data: file } = useFile();
  if (!file) return null;
  return (
    <Button component={Link} to={`/dashboards/${name}/edit`} variant="default" leftSection={<IconLayoutDashboard size={16} aria-hidden />}>
      {t.arranging.edit}
    </Button>
  );
}
