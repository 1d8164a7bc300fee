/** The tenant UI: /app/{slug} and {slug}.DOMAIN. */
import { start } from "@/components/start";
import { routes } from "./routes";

start(routes);
