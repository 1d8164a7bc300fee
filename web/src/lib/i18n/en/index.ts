/** English, by feature: which messages there are is said here. */
import { access } from "./access";
import { account } from "./account";
import { analytics } from "./analytics";
import { arranging } from "./arranging";
import { audit } from "./audit";
import { auth } from "./auth";
import { billing } from "./billing";
import { comments } from "./comments";
import { common } from "./common";
import { console } from "./console";
import { designer } from "./designer";
import { figures } from "./figures";
import { files } from "./files";
import { flow } from "./flow";
import { form } from "./form";
import { history } from "./history";
import { hooks } from "./hooks";
import { importing } from "./importing";
import { keys } from "./keys";
import { link } from "./link";
import { members } from "./members";
import { monitoring } from "./monitoring";
import { operate } from "./operate";
import { people } from "./people";
import { reports } from "./reports";
import { runs } from "./runs";
import { shell } from "./shell";
import { standing } from "./standing";
import { table } from "./table";
import { tenants } from "./tenants";
import { work } from "./work";

export const en = { access, account, analytics, arranging, audit, auth, billing, comments, common, console, designer, figures, files, flow, form, history, hooks, importing, keys, link, members, monitoring, operate, people, reports, runs, shell, standing, table, tenants, work };

export type Messages = typeof en;
