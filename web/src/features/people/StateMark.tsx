/** Whether somebody may come in: a coloured mark and its word. */
import { useI18n } from "@/lib/i18n";
import { stateOf, type Person } from "./people";
import classes from "./People.module.css";

export function StateMark({ person }: { person: Person }) {
  const { t } = useI18n();
  const state = stateOf(person);
  return (
    <span className={classes.state} data-state={state}>
      {t.people.states[state]}
    </span>
  );
}
