/** What people say about a row: read again and again, as others may say something meanwhile. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { queries } from "@/lib/api/queries";
import { ask } from "@/lib/within";

const EVERY = 3000;

export interface Comment {
  id: string;
  text: string;
  at: string;
  user_id: string | null;
  email: string | null;
  may_delete: boolean;
}

const pathOf = (entity: string, id: string) => `/${entity}/${encodeURIComponent(id)}/comments`;

export function useComments(entity: string, id: string) {
  return useInfiniteQuery({
    queryKey: ["comments", entity, id],
    initialPageParam: "",
    queryFn: async ({ pageParam, signal }) => {
      const answer = await ask<Comment[]>(pathOf(entity, id) + (pageParam && `?after=${pageParam}`), { signal });
      return { comments: answer.data, next: answer.headers.get("Next-Cursor") };
    },
    getNextPageParam: (page) => page.next,
    refetchInterval: EVERY,
  });
}

export async function sayAbout(entity: string, id: string, text: string): Promise<void> {
  await ask(pathOf(entity, id), { method: "POST", body: { text } });
  await queries.invalidateQueries({ queryKey: ["comments", entity, id] });
}

export async function takeBack(entity: string, id: string, comment: string): Promise<void> {
  await ask(`${pathOf(entity, id)}/${comment}`, { method: "DELETE" });
  await queries.invalidateQueries({ queryKey: ["comments", entity, id] });
}

/** What was begun and not sent, by row: it outlives a look at another tab of the page. */
export const drafts = new Map<string, string>();
