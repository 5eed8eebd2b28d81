import { useQuery } from "@tanstack/react-query";

import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import type { Run } from "@/lib/api/types";

import { BudgetCard } from "../budget/budget-card";
import type { RunProps } from "../run-props";

import { DefinitionCard } from "./definition-card";
import { engineQuery } from "./engine-query";
import { InputValue } from "./input-value";
import { listInputs } from "./list-inputs";
import { ModelsCard } from "./models-card";
import { RunPropertiesCard } from "./run-properties-card";

/** The inputs, workflow definition, models and budget of the run. */
export function ConfigTab({ run }: RunProps) {
  const engine = useQuery(engineQuery(run));
  return (
    <div className="mx-auto grid w-full max-w-6xl content-start gap-4 p-4 sm:p-6 lg:grid-cols-[3fr_2fr]">
      <div className="grid min-w-0 content-start gap-4">
        <InputsCard run={run} />
        <DefinitionCard run={run} />
      </div>
      <div className="grid min-w-0 content-start gap-4">
        <RunPropertiesCard run={run} engine={engine.data ?? null} />
        <ModelsCard run={run} />
        <BudgetCard run={run} />
      </div>
    </div>
  );
}

function InputsCard({ run }: { run: Run }) {
  const inputs = listInputs(run);
  return (
    <Card
      title="Inputs"
      actions={
        inputs.length > 0 && (
          <CopyButton
            text={() => JSON.stringify(run.inputs, null, 2)}
            label="Copy inputs as JSON"
          />
        )
      }
    >
      {inputs.length === 0 ? (
        <p className="p-4 text-ink-soft">The run was started without inputs.</p>
      ) : (
        <dl className="divide-y">
          {inputs.map(({ name, type, value }) => (
            <div key={name} className="grid gap-x-4 gap-y-1 px-4 py-2.5 sm:grid-cols-[9rem_1fr]">
              <dt className="min-w-0">
                <span className="font-medium break-words">{name}</span>{" "}
                {type && <span className="text-xs text-ink-faint">{type}</span>}
              </dt>
              <dd className="min-w-0">
                <InputValue name={name} value={value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}
