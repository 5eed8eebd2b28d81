import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { FieldValues, Path, UseFormReturn } from "react-hook-form";

import { isStale, placeProblem } from "./form-problems";
import { refreshCatalog } from "./provider-requests";

interface Options<V extends FieldValues, T> {
  form: UseFormReturn<V>;
  /** What the form was opened with; undefined for a new one. */
  opened: T | undefined;
  send: (values: V, base: T | undefined) => Promise<T>;
  load: (base: T) => Promise<T>;
  valuesOf: (entity: T) => V;
  /** What differs between two states, in words. */
  wordsOf: (before: T, after: T) => string[];
  /** The field that a JSON pointer without its envelope speaks of. */
  fieldOf: (pointer: string) => Path<V> | undefined;
  onSaved: (saved: T) => void;
}

/** Saves a form over the version that it was opened with, and brings refusals to where they belong. */
export function useSave<V extends FieldValues, T>(options: Options<V, T>) {
  const { form, opened } = options;
  const client = useQueryClient();
  // The version this form has seen: the lists may be renewed behind it, and then its save must be refused.
  const [base, setBase] = useState(opened);
  const [placed, setPlaced] = useState(false);
  const [loaded, setLoaded] = useState<string[] | null>(null);

  // The values are read from the form, never passed: a mutation's variables outlive it in the cache.
  const saving = useMutation({
    mutationFn: () => options.send(form.getValues(), base),
    gcTime: 0,
    onMutate: () => setLoaded(null),
    onSuccess: async (saved) => {
      await refreshCatalog(client);
      options.onSaved(saved);
    },
    onError: (error) => setPlaced(placeProblem(error, form.setError, options.fieldOf)),
  });

  const loading = useMutation({
    mutationFn: (seen: T) => options.load(seen),
    onSuccess: (fresh, seen) => {
      form.reset(options.valuesOf(fresh), { keepDirtyValues: true });
      setBase(fresh);
      setLoaded(options.wordsOf(seen, fresh));
      saving.reset();
    },
  });

  const stale = isStale(saving.error);
  return {
    submit: form.handleSubmit(() => saving.mutate()),
    busy: saving.isPending,
    /** What found no field of its own. */
    error: loading.error ?? (stale || placed ? null : saving.error),
    stale: stale || loaded !== null,
    loaded,
    loading: loading.isPending,
    loadNewest: () => base !== undefined && loading.mutate(base),
  };
}
