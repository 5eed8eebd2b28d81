import { useMutation, useQueryClient } from "@tanstack/react-query";
import { FormProvider, useForm, useWatch, type Path, type UseFormSetError } from "react-hook-form";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ApiProblem } from "@/lib/api/problem";
import type { Connection } from "@/lib/api/types";
import { refreshTools } from "@/lib/queries/tools";

import { ConnectionFields } from "./connection-fields";
import type { ConnectionKind } from "./connection-kinds";
import {
  createConnection,
  testConnectionValues,
  updateConnection,
  type TestReport,
} from "./connection-requests";
import {
  connectionValues,
  newConnectionValues,
  toCreate,
  toUpdate,
  type ConnectionValues,
} from "./connection-values";
import { TestOutcome } from "./test-outcome";

interface Props {
  kind: ConnectionKind;
  connection?: Connection;
  taken: string[];
  onClose: () => void;
  onSaved: (connection: Connection) => void;
}

/** The form of a new or stored connection, with a test before it is saved. */
export function ConnectionForm({ kind, connection, taken, onClose, onSaved }: Props) {
  const client = useQueryClient();
  const form = useForm<ConnectionValues>({
    defaultValues: connection ? connectionValues(connection) : newConnectionValues(kind, taken),
  });
  // Values are read from the form: mutation variables would stay in the cache.
  const saving = useMutation({
    gcTime: 0,
    mutationFn: () =>
      connection
        ? updateConnection(connection, toUpdate(kind, form.getValues()))
        : createConnection(toCreate(kind, form.getValues())),
    onSuccess: async (saved) => {
      await refreshTools(client);
      onSaved(saved);
    },
    onError: (error) => placeErrors(error, form.setError),
  });
  const testing = useMutation<TestReport>({
    gcTime: 0,
    mutationFn: () => testConnectionValues(toCreate(kind, form.getValues())),
    onError: (error) => placeErrors(error, form.setError),
  });
  const error = [saving.error, testing.error].find((one) => one && !isPlaced(one));
  const secret = useWatch({ control: form.control, name: "secret" });
  // A stored secret is not here, so only the saved connection can be tested.
  const canTest = !connection || secret !== "";
  return (
    <FormProvider {...form}>
      <form
        className="grid gap-4"
        onSubmit={(event) => void form.handleSubmit(() => saving.mutate())(event)}
      >
        <ConnectionFields kind={kind} connection={connection} />
        {error && <ErrorPanel error={error} />}
        {(testing.isPending || testing.data) && (
          <TestOutcome report={testing.isPending ? null : (testing.data ?? null)} />
        )}
        <div className="flex flex-wrap justify-end gap-2">
          {canTest && (
            <Button
              className="mr-auto"
              busy={testing.isPending}
              onClick={() => {
                form.clearErrors();
                testing.mutate();
              }}
            >
              Test
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={saving.isPending}>
            Save
          </Button>
        </div>
      </form>
    </FormProvider>
  );
}

const FIELDS: Record<string, Path<ConnectionValues>> = {
  name: "name",
  baseUrl: "baseUrl",
  secret: "secret",
  "options/header": "header",
  "options/username": "username",
  "options/methods": "methods",
  "options/tokenUrl": "tokenUrl",
  "options/scope": "scope",
  "options/sender": "sender",
  "options/recipients": "recipients",
};

/** The form's field for each error of a problem; undefined for one that has none. */
function listPlaces(error: unknown): { field: Path<ConnectionValues> | undefined; text: string }[] {
  if (!(error instanceof ApiProblem)) return [];
  if (error.slug === "connection-name-taken") return [{ field: "name", text: error.detail }];
  return error.fields.map(({ pointer, detail }) => ({
    field: FIELDS[pointer.replace(/^\/(connection\/)?/, "")],
    text: detail,
  }));
}

function isPlaced(error: unknown): boolean {
  const places = listPlaces(error);
  return places.length > 0 && places.every(({ field }) => field !== undefined);
}

function placeErrors(error: unknown, setError: UseFormSetError<ConnectionValues>): void {
  listPlaces(error).forEach(({ field, text }, index) => {
    if (field) setError(field, { type: "server", message: text }, { shouldFocus: index === 0 });
  });
}
