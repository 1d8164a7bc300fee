/** A table that scrolls sideways on a narrow screen, by keyboard too. */
import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./parts.module.css";

export function Sheet({ label, heads, children }: { label: string; heads: string[]; children: ReactNode }) {
  return (
    <div className={classes.sheet} role="region" aria-label={label} tabIndex={0}>
      <Table verticalSpacing={9} horizontalSpacing="md" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head, at) => (
              <Table.Th key={at}>{head}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </div>
  );
}
