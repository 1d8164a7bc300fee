/** English, by feature: which messages there are is said here. */
import { account } from "./account";
import { arranging } from "./arranging";
import { audit } from "./audit";
import { auth } from "./auth";
import { common } from "./common";
import { console } from "./console";
import { figures } from "./figures";
import { files } from "./files";
import { flow } from "./flow";
import { form } from "./form";
import { history } from "./history";
import { importing } from "./importing";
import { monitoring } from "./monitoring";
import { operate } from "./operate";
import { shell } from "./shell";
import { table } from "./table";
import { tenants } from "./tenants";
import { work } from "./work";

export const en = { account, arranging, audit, auth, common, console, figures, files, flow, form, history, importing, monitoring, operate, shell, table, tenants, work };

export type Messages = typeof en;
