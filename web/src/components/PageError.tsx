/** What a route shows when it throws: the page that does not exist, or the one that broke. */
import { Button, Center } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { isRouteErrorResponse, Link, useRouteError } from "react-router";
import { asProblem, Problem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";
import { Empty } from "./Empty";
import { Trouble } from "./Trouble";

export function NotFound() {
  const { t } = useI18n();
  return (
    <Empty title={t.shell.notFound} hint={t.shell.notFoundHint} icon={<IconMapPinOff size={24} />}>
      <Button component={Link} to="/" variant="default" mt="xs">
        {t.shell.home}
      </Button>
    </Empty>
  );
}

export function PageError() {
  const { t } = useI18n();
  const error = useRouteError();
  if (isRouteErrorResponse(error) && error.status === 404) return <NotFound />;
  const problem = error instanceof Problem ? error : new Problem(1, { title: t.shell.broken, message: t.shell.brokenHint });
  if (!(error instanceof Problem)) console.error(asProblem(error));
  return (
    <Center>
      <Trouble problem={problem} onRetry={() => location.reload()} page />
    </Center>
  );
}
