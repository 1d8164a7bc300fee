/**
 * Languages. A catalogue per language and feature, typed: `en` says which messages there are, every other language
 * has to have the same. Messages that hold something are functions.
 *
 *     const { t } = useI18n();
 *     t.common.save; t.table.rows(12)
 */
import dayjs from "dayjs";
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { boot } from "../boot";
import { recall, remember } from "../remember";
import type { Messages } from "./en";
import { formats, type Formats } from "./formats";

export type { Messages };
export type Language = "en" | "de";

export const LANGUAGES: Record<Language, string> = { en: "English", de: "Deutsch" };

const catalogues: Record<Language, () => Promise<Messages>> = {
  en: async () => (await import("./en")).en,
  de: async () => {
    await import("dayjs/locale/de");
    return (await import("./de")).de;
  },
};

export interface I18n {
  t: Messages;
  language: Language;
  setLanguage: (language: Language) => void;
  format: Formats;
  /** The text of a title map of the tenant's file in this language. */
  say: (titles: Titles | undefined, otherwise: string) => string;
}

export type Titles = Record<string, string>;

const Context = createContext<I18n | null>(null);

function preferred(): Language {
  const wanted = [recall<string>("language", ""), ...navigator.languages];
  for (const tag of wanted) {
    const language = tag.slice(0, 2).toLowerCase();
    if (language === "en" || language === "de") return language;
  }
  return "en";
}

export function sayIn(language: string, titles: Titles | undefined, otherwise: string): string {
  if (titles === undefined) return otherwise;
  return titles[language] ?? (boot.languages[0] && titles[boot.languages[0]]) ?? Object.values(titles)[0] ?? otherwise;
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState(preferred);
  const [loaded, setLoaded] = useState<{ language: Language; t: Messages } | null>(null);
  useEffect(() => {
    let current = true;
    void catalogues[language]().then((t) => {
      if (!current) return;
      document.documentElement.lang = language;
      dayjs.locale(language);
      setLoaded({ language, t });
    });
    return () => {
      current = false;
    };
  }, [language]);
  const value = useMemo<I18n | null>(
    () =>
      loaded && {
        t: loaded.t,
        language: loaded.language,
        setLanguage: (next) => {
          remember("language", next);
          choose(next);
        },
        format: formats(loaded.language),
        say: (titles, otherwise) => sayIn(loaded.language, titles, otherwise),
      },
    [loaded],
  );
  return value && <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useI18n(): I18n {
  const value = useContext(Context);
  if (value === null) throw new Error("useI18n outside of I18nProvider");
  return value;
}
