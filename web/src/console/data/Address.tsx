/** What the page asks the API, to be read and copied: the grammar that programs use. */
import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useListing } from "@/features/data/listing";
import { useI18n } from "@/lib/i18n";
import { queryOf } from "@/lib/rows/rows";
import { useSchema } from "@/lib/schema/schema";
import type { Entity } from "@/lib/schema/types";
import { addressOf } from "@/lib/within";
import classes from "./data.module.css";

export function Address({ entity }: { entity: Entity }) {
  const { t } = useI18n();
  const schema = useSchema();
  const { listing } = useListing(entity);
  const path = addressOf(`/${entity.name}`);
  const query = queryOf(schema, listing);
  return (
    <div className={classes.address}>
      <span className={classes.method}>GET</span>
      <code className={classes.url} role="region" aria-label={t.operate.address} tabIndex={0}>
        {path}
        {[...new URLSearchParams(query)].map(([name, value], at) => (
          <span key={at}>
            {at === 0 ? "?" : "&"}
            <b>{name}</b>={value}
          </span>
        ))}
      </code>
      <CopyButton value={`${location.origin}${path}?${query}`}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t.common.copied : t.operate.copyAddress}>
            <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={copied ? t.common.copied : t.operate.copyAddress}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </div>
  );
}
