/** Errors of the API (RFC 9457), typed, and what to tell a person about them. */

export interface FieldError {
  /** JSON pointer into the body, e.g. /lines/0/net. */
  pointer: string;
  detail: string;
  code: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly hint: string;
  readonly details: unknown;
  readonly errors: FieldError[];
  readonly requestId: string;
  /** The whole document, for codes that say more. */
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>) {
    const text = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : "");
    super(text("message") || text("detail") || text("title") || text("msg") || `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = text("code") || text("error_code");
    this.title = text("title");
    this.hint = text("hint");
    this.details = body["details"];
    this.errors = Array.isArray(body["errors"]) ? (body["errors"] as FieldError[]) : [];
    this.requestId = text("request_id");
    this.body = body;
  }

  /** The connection failed: nothing is known about the outcome. */
  get offline(): boolean {
    return this.status === 0;
  }
}

export async function problemOf(answer: Response): Promise<Problem> {
  let body: unknown = {};
  try {
    body = await answer.json();
  } catch {
    // no document: the status has to do
  }
  return new Problem(answer.status, typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {});
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, { message: error instanceof Error ? error.message : String(error), code: "client" });
}
