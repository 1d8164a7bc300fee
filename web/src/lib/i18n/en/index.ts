/** English, by feature: which messages there are is said here. */
import { auth } from "./auth";
import { common } from "./common";
import { shell } from "./shell";

export const en = { auth, common, shell };

export type Messages = typeof en;
