/** A subscription's state in words: a trial says until when. */
import { useI18n } from "@/lib/i18n";
import { State } from "../parts/State";
import { STANDING, type Subscription } from "./data";

export function Standing({ subscription: { status, trial_end, cancel_at_end } }: { subscription: Subscription }) {
  const { t, format } = useI18n();
  const words = t.billing;
  const said = status === "trialing" && trial_end ? words.trialUntil(format.day(trial_end)) : words.standing[status];
  return <State tone={cancel_at_end ? "warn" : STANDING[status]}>{said}</State>;
}
