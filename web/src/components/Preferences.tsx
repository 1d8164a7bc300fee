/** Language and appearance, where there is no account menu. */
import { Group, NativeSelect, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { LANGUAGES, useI18n, type Language } from "@/lib/i18n";

export function Preferences() {
  const { t, language, setLanguage } = useI18n();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Group gap="xs" justify="center">
      <NativeSelect
        size="xs"
        aria-label={t.common.language}
        value={language}
        onChange={(event) => setLanguage(event.currentTarget.value as Language)}
        data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
      />
      <NativeSelect
        size="xs"
        aria-label={t.shell.appearance}
        value={colorScheme}
        onChange={(event) => setColorScheme(event.currentTarget.value as MantineColorScheme)}
        data={[
          { value: "auto", label: t.shell.auto },
          { value: "light", label: t.shell.light },
          { value: "dark", label: t.shell.dark },
        ]}
      />
    </Group>
  );
}
