/** The frame of the tenant UI: waits for the schema, and makes the navigation of it. */
import { Button, Center } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconLock, IconRefresh, IconUser } from "@tabler/icons-react";
import { useCallback } from "react";
import { Empty } from "@/components/Empty";
import { Opening } from "@/components/Opening";
import { Shell } from "@/components/Shell";
import { StandingIn } from "@/components/StandingIn";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { boot } from "@/lib/boot";
import { useI18n } from "@/lib/i18n";
import { SchemaProvider, useSchema, useSchemaQuery } from "@/lib/schema/schema";
import { signOut, useMe } from "@/lib/session/session";
import { useCommands, useNavigation } from "./navigation";

export function TenantShell() {
  const { t } = useI18n();
  const { data: schema, error, refetch } = useSchemaQuery();
  const onChange = useCallback(
    () =>
      notifications.show({
        id: "schema",
        title: t.shell.schemaChanged,
        message: t.shell.schemaChangedHint,
        icon: <IconRefresh size={18} />,
        autoClose: 4000,
      }),
    [t],
  );
  if (schema === undefined) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page /> : <Opening />;
  return (
    <SchemaProvider schema={schema} onChange={onChange}>
      <Framed />
    </SchemaProvider>
  );
}

function Framed() {
  const { t, say } = useI18n();
  const schema = useSchema();
  const me = useMe();
  const groups = useNavigation();
  const commands = useCommands();
  const name = say(schema.branding.name, say(boot.title, schema.service));
  if (Object.keys(schema.entities).length === 0)
    return (
      <>
      <StandingIn />
      <Center mih="80dvh">
        <Empty title={t.shell.noAccess} hint={`${t.shell.noAccessHint} (${me.user?.email ?? ""})`} icon={<IconLock size={24} />}>
          <Button variant="default" onClick={() => void signOut()}>
            {t.shell.signOut}
          </Button>
        </Empty>
      </Center>
      </>
    );
  return <Shell name={name} groups={groups} commands={commands} banner={<StandingIn />} account={me.standing_in ? [] : [{ label: t.account.title, icon: <IconUser size={16} aria-hidden />, to: "/account" }]} />;
}
