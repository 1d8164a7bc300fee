/** A tenant's file: written in or designed, planned and put into force; its history. */
import { SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import { useI18n } from "@/lib/i18n";
import { Asked } from "../parts/Asked";
import type { Row } from "../tenants/data";
import { useFileText, useLanguage } from "./data";
import { FileEditor } from "./FileEditor";
import { History } from "./History";

export default function SchemaTab({ tenant: { slug } }: { tenant: Row }) {
  const { t } = useI18n();
  const [face, show] = useState("edit");
  const file = useFileText(slug);
  const language = useLanguage();
  return (
    <Stack gap="sm">
      <SegmentedControl
        value={face}
        onChange={show}
        data={[
          { value: "edit", label: t.files.edit },
          { value: "designer", label: t.files.designer },
          { value: "history", label: t.files.history },
        ]}
        style={{ alignSelf: "flex-start" }}
      />
      {face === "history" ? (
        <History slug={slug} />
      ) : (
        <Asked query={language}>
          {(words) => <Asked query={file}>{(disk) => <FileEditor key={slug} designed={face === "designer"} slug={slug} disk={disk} language={words} />}</Asked>}
        </Asked>
      )}
    </Stack>
  );
}
