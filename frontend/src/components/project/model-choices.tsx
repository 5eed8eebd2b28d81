import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useUpdateProject } from "@/hooks/use-update-project";
import type { Model, Project } from "@/lib/api/types";
import { chooseModel, findFallback, listWantedModels, OTHER_MODELS } from "@/lib/project-models";
import { modelsQuery } from "@/lib/queries/models";
import { useCan } from "@/lib/rights";

/** Which registered model answers for each model that the code asks for. Each choice is saved at once. */
export function ModelChoices({ project }: { project: Project }) {
  const models = useQuery(modelsQuery());
  return (
    <Card title="Models">
      {models.isPending ? (
        <SkeletonRows rows={2} />
      ) : models.data ? (
        <Choices project={project} models={models.data} />
      ) : (
        <ErrorPanel error={models.error} onRetry={() => models.refetch()} className="m-4" />
      )}
    </Card>
  );
}

function Choices({ project, models }: { project: Project; models: Model[] }) {
  const update = useUpdateProject(project.id, "Models saved");
  const canChange = useCan("projects:write");
  const names = listWantedModels(project);
  const isOnlyChoice = names.length === 1;
  return (
    <div className="grid gap-4 p-4">
      {models.length === 0 && <NoModels />}
      <p className="text-ink-soft">
        The code asks for a model by name, and a registered model answers. API keys stay on this
        server.
      </p>
      <div className="grid gap-4 md:grid-cols-2">
        {names.map((name) => (
          <Field
            key={name}
            label={name === OTHER_MODELS ? (isOnlyChoice ? "Model" : "Every other model") : name}
            hint={isOnlyChoice && "Answers for every model that the code asks for."}
          >
            <ModelSelect
              models={models}
              fallback={findFallback(name, project, models)}
              value={project.modelMap[name] ?? ""}
              disabled={update.isPending || !canChange}
              onChange={(model) =>
                update.mutate({ modelMap: chooseModel(project.modelMap, name, model) })
              }
            />
          </Field>
        ))}
      </div>
      {update.error && <ErrorPanel error={update.error} />}
    </div>
  );
}

function NoModels() {
  return (
    <Alert
      tone="warn"
      title="No model is registered"
      actions={
        <Allowed scope="providers:write">
          <Button asChild size="sm">
            <Link to="/models" search={{ provider: "new" }}>
              Connect a provider
            </Link>
          </Button>
        </Allowed>
      }
    >
      Model calls of the project fail until one is.
    </Alert>
  );
}

interface SelectProps {
  models: Model[];
  /** What answers without a choice. */
  fallback: string | null;
  value: string;
  disabled: boolean;
  onChange: (model: string) => void;
}

/** A select; the id and ARIA attributes from its `Field` are passed on. */
function ModelSelect({ models, fallback, value, onChange, ...rest }: SelectProps) {
  const isListed = value === "" || models.some((model) => model.name === value);
  const answering = models.find((model) => model.name === fallback);
  return (
    <Select {...rest} value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">
        {answering ? `Automatic: ${describeModel(answering)}` : "None: its calls fail"}
      </option>
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
