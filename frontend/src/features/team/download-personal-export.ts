import { api, body } from "@/lib/api/client";
import { downloadFile } from "@/lib/download-file";

/** Downloads what the server stores about a person, as JSON; null: about whoever is signed in. */
export async function downloadPersonalData(personId: string | null): Promise<void> {
  const content = body(
    personId === null
      ? await api.GET("/api/v1/me/export")
      : await api.GET("/api/v1/people/{person_id}/export", {
          params: { path: { person_id: personId } },
        }),
  );
  const text = JSON.stringify(content, null, 2);
  downloadFile(`personal-data-${content.id}.json`, new Blob([text], { type: "application/json" }));
}
