/** The tenant's file, for who may edit it: read, checked and written by the platform. */
import { useQuery } from "@tanstack/react-query";
import { askPlatform, platformToken } from "@/lib/api/platform";
import { Problem } from "@/lib/api/problem";
import { boot } from "@/lib/boot";

export interface File {
  text: string;
  etag: string;
  token: string;
}

export interface Finding {
  line: number;
  message: string;
  hint: string | null;
}

/** The file; null for who is not signed in at the console, or may not write it. */
export function useFile() {
  return useQuery({
    queryKey: ["file", boot.slug],
    retry: false,
    staleTime: 60_000,
    queryFn: async ({ signal }): Promise<File | null> => {
      const token = await platformToken(signal);
      if (token === null) return null;
      try {
        const { data, etag } = await askPlatform<string>(`/tenants/${boot.slug}/schema`, { signal });
        return { text: data, etag, token };
      } catch (error) {
        if (error instanceof Problem && [401, 403, 404].includes(error.status)) return null;
        throw error;
      }
    },
  });
}

export function useFindings(file: File, text: string) {
  return useQuery({
    queryKey: ["findings", text],
    enabled: text !== file.text,
    queryFn: async ({ signal }): Promise<Finding[]> => {
      const { data } = await askPlatform<{ errors: (Finding & { detail?: string })[] }>("/rpc/validate_schema", {
        method: "POST",
        body: { slug: boot.slug, text },
        token: file.token,
        signal,
      });
      return data.errors.map(({ line, message, detail, hint }) => ({ line, message: message ?? detail ?? "", hint }));
    },
    placeholderData: (before) => before,
  });
}

/** Write a text over the version that was read. */
export async function save(file: File, text: string): Promise<void> {
  await askPlatform("/rpc/apply_schema", { method: "POST", body: { slug: boot.slug, text }, headers: { "If-Match": file.etag }, token: file.token });
}
