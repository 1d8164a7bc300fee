/**
 * Conditions of forms (`visible_if`, `required_if`, `read_only_if`): the part of CEL that is about one row, evaluated
 * while somebody types. What it does not know is `undefined`, and the server has the last word anyway.
 */
type Value = unknown;
type Scope = Record<string, Value>;

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)u?|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)|(==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]]))/y;
const POWER: Record<string, number> = { "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, in: 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5 };

interface Token {
  kind: "value" | "name" | "sign";
  value: Value;
}

class Unknown extends Error {}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (match === null) throw new Unknown(text);
    const [, number, single, double, name, sign] = match;
    const literal = single ?? double;
    if (number !== undefined) found.push({ kind: "value", value: Number(number) });
    else if (literal !== undefined) found.push({ kind: "value", value: literal.replace(/\\(.)/g, "$1") });
    else if (name !== undefined) found.push({ kind: "name", value: name });
    else found.push({ kind: "sign", value: sign });
  }
  return found;
}

class Reader {
  private at = 0;
  private readonly all: Token[];
  private readonly scope: Scope;

  constructor(text: string, scope: Scope) {
    this.all = tokens(text);
    this.scope = scope;
  }

  whole(): Value {
    const value = this.ternary();
    if (this.at < this.all.length) throw new Unknown();
    return value;
  }

  private is(sign: string): boolean {
    return this.all[this.at]?.value === sign && this.all[this.at]?.kind !== "value";
  }

  private take(sign: string): boolean {
    if (!this.is(sign)) return false;
    this.at += 1;
    return true;
  }

  private need(sign: string): void {
    if (!this.take(sign)) throw new Unknown();
  }

  private ternary(): Value {
    const condition = this.binary(0);
    if (!this.take("?")) return condition;
    const yes = this.ternary();
    this.need(":");
    const no = this.ternary();
    return condition === true ? yes : no;
  }

  private binary(least: number): Value {
    let left = this.unary();
    for (;;) {
      const sign = String(this.all[this.at]?.value);
      const power = this.all[this.at]?.kind === "value" ? undefined : POWER[sign];
      if (power === undefined || power <= least) return left;
      this.at += 1;
      left = apply(sign, left, this.binary(power));
    }
  }

  private unary(): Value {
    if (this.take("!")) return this.unary() !== true;
    if (this.take("-")) return -Number(this.unary());
    let value = this.primary();
    while (this.take(".")) {
      const name = String(this.all[this.at++]?.value);
      if (this.take("(")) value = method(name, value, this.list(")"));
      else value = (value as Scope | null | undefined)?.[name];
    }
    return value;
  }

  private primary(): Value {
    const token = this.all[this.at++];
    if (token === undefined) throw new Unknown();
    if (token.kind === "value") return token.value;
    if (token.value === "(") {
      const value = this.ternary();
      this.need(")");
      return value;
    }
    if (token.value === "[") return this.list("]");
    if (token.kind !== "name") throw new Unknown();
    const name = String(token.value);
    if (name === "true" || name === "false") return name === "true";
    if (name === "null") return null;
    if (this.take("(")) {
      const given = this.list(")");
      if (name === "has") return given[0] !== undefined && given[0] !== null;
      if (name === "size") return method("size", given[0], []);
      if (name === "today") return new Date().toISOString().slice(0, 10);
      throw new Unknown(name);
    }
    if (!(name in this.scope)) throw new Unknown(name);
    return this.scope[name];
  }

  private list(end: string): Value[] {
    const found: Value[] = [];
    while (!this.take(end)) {
      found.push(this.ternary());
      if (!this.is(end)) this.need(",");
    }
    return found;
  }
}

function method(name: string, on: Value, given: Value[]): Value {
  if (name === "size") return on == null ? 0 : (on as string | unknown[]).length;
  if (typeof on === "string" && typeof given[0] === "string") {
    if (name === "startsWith") return on.startsWith(given[0]);
    if (name === "endsWith") return on.endsWith(given[0]);
    if (name === "contains") return on.includes(given[0]);
  }
  throw new Unknown(name);
}

function apply(sign: string, left: Value, right: Value): Value {
  if (sign === "&&") return left === true && right === true;
  if (sign === "||") return left === true || right === true;
  const [a, b] = [left ?? null, right ?? null];
  if (sign === "==") return a === b || (a !== null && b !== null && String(a) === String(b));
  if (sign === "!=") return !(apply("==", a, b) as boolean);
  if (sign === "in") return Array.isArray(b) && b.some((each) => apply("==", a, each));
  if (a === null || b === null) return false;
  const numbers = !Number.isNaN(Number(a)) && !Number.isNaN(Number(b));
  const [x, y] = numbers ? [Number(a), Number(b)] : [String(a), String(b)];
  switch (sign) {
    case "<":
      return x < y;
    case "<=":
      return x <= y;
    case ">":
      return x > y;
    case ">=":
      return x >= y;
    case "+":
      return numbers ? Number(a) + Number(b) : String(a) + String(b);
    case "-":
      return Number(a) - Number(b);
    case "*":
      return Number(a) * Number(b);
    case "/":
      return Number(a) / Number(b);
    default:
      return Number(a) % Number(b);
  }
}

/** Whether a condition holds; `otherwise` where it is none, or more than this reads. */
export function holds(condition: string | null | undefined, scope: Scope, otherwise: boolean): boolean {
  if (!condition) return otherwise;
  try {
    return new Reader(condition, scope).whole() === true;
  } catch {
    return otherwise;
  }
}
