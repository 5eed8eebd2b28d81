import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Model, Project } from "@/lib/api/types";
import { modelsQuery } from "@/lib/queries/models";

import { useUpdateProject } from "../use-update-project";

import { listWantedModels, toModelMap } from "./model-map";
import { OTHER_MODELS } from "./open-steps";

/** Which registered model answers for each model that the code asks for. */
export function ModelsTab({ project }: { project: Project }) {
  const models = useQuery(modelsQuery());
  if (models.isPending) return <SkeletonRows />;
  if (!models.data) return <ErrorPanel error={models.error} onRetry={() => models.refetch()} />;
  return <ModelForm project={project} models={models.data} />;
}

function ModelForm({ project, models }: { project: Project; models: Model[] }) {
  const [chosen, setChosen] = useState<Record<string, string>>(project.modelMap);
  const update = useUpdateProject(project, "Models saved");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    update.mutate({ modelMap: toModelMap(chosen) });
  };
  return (
    <Card title="Models">
      <form onSubmit={submit} className="grid gap-4 p-4">
        <p className="text-ink-soft">
          The code asks for models by name; registered models answer. API keys stay on this server:
          the project gets none. Register more in{" "}
          <Link to="/models" className="text-accent underline underline-offset-2">
            Providers &amp; models
          </Link>
          .
        </p>
        {listWantedModels(project).map((name) => (
          <Field
            key={name}
            label={name === OTHER_MODELS ? "Every other model" : name}
            hint={name === OTHER_MODELS && "Answers for the names that have no entry above."}
          >
            <ModelSelect
              models={models}
              isFallback={name === OTHER_MODELS}
              value={chosen[name] ?? ""}
              onChange={(model) => setChosen((current) => ({ ...current, [name]: model }))}
            />
          </Field>
        ))}
        {update.error && <ErrorPanel error={update.error} />}
        <div className="flex justify-end">
          <Button type="submit" variant="primary" busy={update.isPending}>
            Save models
          </Button>
        </div>
      </form>
    </Card>
  );
}

interface SelectProps {
  models: Model[];
  /** Whether it stands for the names without an entry. */
  isFallback: boolean;
  value: string;
  onChange: (model: string) => void;
}

/** A select; the id and ARIA attributes from its `Field` are passed on. */
function ModelSelect({ models, isFallback, value, onChange, ...rest }: SelectProps) {
  const preset = models.find((model) => model.default && model.type === "llm");
  const isListed = value === "" || models.some((model) => model.name === value);
  const defaultLabel = `Default model${preset ? `: ${preset.name}` : ""}`;
  return (
    <Select
      {...rest}
      className="max-w-xl"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      <option value="">{isFallback ? defaultLabel : "As every other model"}</option>
      {models.map((model) => (
        <option key={model.id} value={model.name}>
          {describeModel(model)}
        </option>
      ))}
      {!isListed && <option value={value}>{value} (not registered)</option>}
    </Select>
  );
}

function describeModel({ name, type, providerType, providerName }: Model): string {
  const kind = type === "embedder" ? ", for embeddings" : "";
  return `${name} (${providerType === "local" ? "built in" : providerName}${kind})`;
}
