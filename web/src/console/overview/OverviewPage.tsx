/** The tenants of the installation. */
import { Anchor, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Opening } from "@/components/Opening";
import { Page } from "@/components/Page";
import { Trouble } from "@/components/Trouble";
import { get } from "@/lib/api/client";
import { asProblem } from "@/lib/api/problem";
import { useI18n } from "@/lib/i18n";

interface Tenant {
  id: string;
  slug: string;
  name: string;
  status: string;
}

export default function OverviewPage() {
  const { t } = useI18n();
  const { data, error, refetch } = useQuery({
    queryKey: ["tenants"],
    queryFn: ({ signal }) => get<Tenant[]>("/tenants?select=id,slug,name,status&order=slug&limit=200", signal),
  });
  if (error) return <Trouble problem={asProblem(error)} onRetry={() => void refetch()} page />;
  if (data === undefined) return <Opening />;
  return (
    <Page title={t.shell.overview}>
      <Table highlightOnHover>
        <Table.Tbody>
          {data.map((tenant) => (
            <Table.Tr key={tenant.id}>
              <Table.Td>
                <Anchor href={`/app/${tenant.slug}/`}>{tenant.slug}</Anchor>
              </Table.Td>
              <Table.Td>{tenant.name}</Table.Td>
              <Table.Td>{tenant.status}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Page>
  );
}
