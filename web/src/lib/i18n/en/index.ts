/** English, by feature: which messages there are is said here. */
import { audit } from "./audit";
import { auth } from "./auth";
import { common } from "./common";
import { console } from "./console";
import { shell } from "./shell";
import { tenants } from "./tenants";
import { work } from "./work";

export const en = { audit, auth, common, console, shell, tenants, work };

export type Messages = typeof en;
