/** The rows of any entity of a tenant: the tenant's own tables and forms, below a line that says what is asked. */
import { Anchor, Breadcrumbs, Group, Select } from "@mantine/core";
import { Link, Outlet, useMatch, useNavigate, useParams } from "react-router";
import { useI18n } from "@/lib/i18n";
import { useSchema } from "@/lib/schema/schema";
import { entityTitle } from "@/lib/schema/words";
import { Address } from "./Address";
import classes from "./data.module.css";
import { Within } from "./Within";

export default function TenantData() {
  const { slug = "" } = useParams();
  return (
    <Within slug={slug}>
      <Framed slug={slug} />
    </Within>
  );
}

function Framed({ slug }: { slug: string }) {
  const { t, language } = useI18n();
  const schema = useSchema();
  const navigate = useNavigate();
  const { entity: name = "" } = useParams();
  const list = useMatch("/tenants/:slug/data/:entity");
  const entity = schema.entities[name];
  const readable = Object.values(schema.entities).filter(({ may }) => may.includes("read"));
  const choices = (added: boolean) =>
    readable.filter((one) => one.added === added).map((one) => ({ value: one.name, label: entityTitle(one, language) }));
  return (
    <div className={classes.frame} data-full={list !== null || undefined}>
      <div className={classes.head}>
        <Group gap="sm" justify="space-between">
          <Breadcrumbs separator="›" fz="sm">
            <Anchor component={Link} to="/tenants" fz="sm">
              {t.tenants.title}
            </Anchor>
            <Anchor component={Link} to={`/tenants/${slug}`} fz="sm">
              {slug}
            </Anchor>
            <Anchor component={Link} to={`/tenants/${slug}/data`} fz="sm">
              {t.operate.data}
            </Anchor>
          </Breadcrumbs>
          {entity && (
            <Select
              aria-label={t.operate.entity}
              size="xs"
              w={220}
              searchable
              allowDeselect={false}
              value={name}
              data={[
                { group: t.operate.ofTheFile, items: choices(false) },
                { group: t.operate.ofThePlatform, items: choices(true) },
              ].filter(({ items }) => items.length > 0)}
              onChange={(next) => next && void navigate(`/tenants/${slug}/data/${next}`)}
            />
          )}
        </Group>
        {entity && list && <Address key={name} entity={entity} />}
      </div>
      <div className={classes.body}>
        <Outlet />
      </div>
    </div>
  );
}
