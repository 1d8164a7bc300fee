/** Says that something is done, with the way back beside it. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { asProblem } from "@/lib/api/problem";

let number = 0;

export function sayWithUndo(message: string, label: string, undo: () => Promise<unknown>): void {
  const id = `undo-${++number}`;
  notifications.show({
    id,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button
          size="compact-sm"
          variant="subtle"
          flex="none"
          onClick={() => {
            notifications.hide(id);
            undo().catch(sayRefused);
          }}
        >
          {label}
        </Button>
      </Group>
    ),
    autoClose: 8000,
  });
}

/** Says why something was not done. */
export function sayRefused(error: unknown): void {
  const problem = asProblem(error);
  notifications.show({ color: "red", title: problem.title, message: problem.errors[0]?.detail ?? problem.message, autoClose: 10_000 });
}
