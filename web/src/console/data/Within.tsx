/**
 * Everything below shows the data of one tenant, as its admin: asks its API, knows its schema and what one may do
 * there. Pages of the tenant's own face work inside as they are.
 */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, type ReactNode } from "react";
import { Opening } from "@/components/Opening";
import { Trouble } from "@/components/Trouble";
import { asProblem } from "@/lib/api/problem";
import { queries } from "@/lib/api/queries";
import { SchemaProvider, useSchemaQuery } from "@/lib/schema/schema";
import { MeProvider, type Me } from "@/lib/session/session";
import { lookInto, usePlace } from "@/lib/within";
import { Apart } from "../parts/Apart";
import { askIn, baseOf } from "../parts/tenant";

export function Within({ slug, children }: { slug: string; children: ReactNode }) {
  const entered = usePlace();
  useEffect(() => {
    // rows of another tenant may be called the same
    queries.removeQueries({ type: "inactive" });
    lookInto({ name: slug, base: baseOf(slug), home: `/tenants/${slug}`, ask: (path, options) => askIn(slug, path, options) });
    return () => lookInto(null);
  }, [slug]);
  return (
    <Apart slug={slug}>
      {entered === slug ? <Known slug={slug}>{children}</Known> : <Opening />}
    </Apart>
  );
}

function Known({ slug, children }: { slug: string; children: ReactNode }) {
  const { data: me, error, refetch } = useQuery({
    queryKey: ["within", slug],
    queryFn: async ({ signal }) => (await askIn<Me>(slug, "/me", { signal })).data,
  });
  if (me === undefined) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page /> : <Opening />;
  return (
    <MeProvider me={me}>
      <Described>{children}</Described>
    </MeProvider>
  );
}

function Described({ children }: { children: ReactNode }) {
  const { data: schema, error, refetch } = useSchemaQuery();
  const onChange = useCallback(() => undefined, []);
  if (schema === undefined) return error ? <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page /> : <Opening />;
  return (
    <SchemaProvider schema={schema} onChange={onChange}>
      {children}
    </SchemaProvider>
  );
}
