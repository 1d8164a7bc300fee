/** Where entities stand in the diagram: what is referred to left of what refers to it, neighbours close. Pure. */
import type { Design, Entity } from "./model";

export const WIDTH = 208;
const HEAD = 38;
const ROW = 25;
const GAP = { x: 84, y: 32 };
const TALLEST = 1100;
/** Rows of fields a card shows. */
export const MOST = 12;

export function heightOf(entity: Entity): number {
  const rows = Math.min(entity.fields.length, MOST) + (entity.fields.length > MOST ? 1 : 0);
  return HEAD + Math.max(rows, 1) * ROW + 8;
}

export interface Place {
  x: number;
  y: number;
}

export function placesOf({ entities }: Design): Map<string, Place> {
  const ranks = ranksOf(entities);
  const columns: Entity[][] = [];
  for (const entity of entities) (columns[ranks.get(entity.name)!] ??= []).push(entity);
  const places = new Map<string, Place>();
  let x = 0;
  for (const column of columns.filter(Boolean)) {
    const wish = (entity: Entity) => {
      const seen = entity.fields.flatMap(({ references }) => (places.has(references) ? [places.get(references)!.y] : []));
      return seen.length ? seen.reduce((sum, y) => sum + y, 0) / seen.length : 0;
    };
    let y = 0;
    for (const entity of [...column].sort((one, other) => wish(one) - wish(other))) {
      if (y > 0 && y + heightOf(entity) > TALLEST) {
        y = 0;
        x += WIDTH + GAP.x;
      }
      places.set(entity.name, { x, y });
      y += heightOf(entity) + GAP.y;
    }
    x += WIDTH + GAP.x;
  }
  return places;
}

/** How many relations away an entity is from one that refers to none; circles are cut. */
function ranksOf(entities: Entity[]): Map<string, number> {
  const named = new Map(entities.map((entity) => [entity.name, entity]));
  const ranks = new Map<string, number>();
  const rank = (entity: Entity, above: Set<string>): number => {
    const known = ranks.get(entity.name);
    if (known !== undefined) return known;
    const inside = new Set(above).add(entity.name);
    const others = entity.fields.flatMap(({ references }) => named.get(references) ?? []).filter(({ name }) => !inside.has(name));
    const found = others.length ? 1 + Math.max(...others.map((other) => rank(other, inside))) : 0;
    ranks.set(entity.name, found);
    return found;
  };
  for (const entity of entities) rank(entity, new Set());
  return ranks;
}
