/** The tenant UI: /app/{slug} and {slug}.DOMAIN. */
import { start } from "@/components/start";

start(() => import("./routes"));
