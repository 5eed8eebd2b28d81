import { useState, type ReactNode } from "react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Checkbox } from "@/components/ui/checkbox";
import type { ImportedCrew, ImportFinding, ImportPreview } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { ImportLosses } from "./import-losses";
import { describeKept } from "./import-summary";
import { YamlProblemList } from "./yaml-problem-list";

interface Props {
  preview: ImportPreview;
  busy: boolean;
  /** Why the import failed. */
  error?: ReactNode;
  onImport: (sources: string[]) => void;
  onBack: () => void;
  /** Uploads the same files as a project; missing if they are not a zip. */
  projectUpload?: ReactNode;
}

/** What an import keeps and leaves out, per crew, and the choice of the crews to save. */
export function ImportReview({ preview, busy, error, onImport, onBack, projectUpload }: Props) {
  const valid = preview.crews.filter(({ definition }) => definition !== null);
  const [chosen, setChosen] = useState(() => valid.map(({ source }) => source));
  const toggle = (source: string) =>
    setChosen((current) =>
      current.includes(source) ? current.filter((item) => item !== source) : [...current, source],
    );
  const findings = [...preview.crews.flatMap(({ warnings }) => warnings), ...preview.warnings];
  return (
    <div className="grid gap-4">
      <LossSummary findings={findings} projectUpload={projectUpload} />
      {preview.crews.map((crew) => (
        <CrewCard
          key={crew.source}
          crew={crew}
          isChosen={chosen.includes(crew.source)}
          onToggle={valid.length > 1 ? () => toggle(crew.source) : undefined}
        />
      ))}
      {preview.warnings.length > 0 && (
        <Card title="Not part of any crew">
          <div className="p-4">
            <ImportLosses label="Left out of the project" findings={preview.warnings} />
          </div>
        </Card>
      )}
      {error}
      <footer className="flex justify-end gap-2">
        <Button onClick={onBack}>Back</Button>
        <Button
          variant="primary"
          busy={busy}
          disabled={chosen.length === 0}
          onClick={() => onImport(chosen)}
        >
          Import {pluralize(chosen.length, "workflow")}
        </Button>
      </footer>
    </div>
  );
}

interface LossProps {
  findings: readonly ImportFinding[];
  projectUpload?: ReactNode;
}

function LossSummary({ findings, projectUpload }: LossProps) {
  const code = findings.filter(({ remedy }) => remedy === "run-as-project").length;
  if (findings.length === 0) return <Alert title="Everything is imported" />;
  return (
    <Alert
      tone="warn"
      title={`${pluralize(findings.length, "entry", "entries")} left out or changed. Nothing is saved yet.`}
      actions={code > 0 && projectUpload}
    >
      {code > 0 &&
        `${pluralize(code, "entry", "entries")} of them ${code === 1 ? "is" : "are"} Python code, which a workflow cannot contain. A project keeps it.`}
    </Alert>
  );
}

interface CrewProps {
  crew: ImportedCrew;
  isChosen: boolean;
  /** Missing if there is nothing to choose. */
  onToggle?: () => void;
}

function CrewCard({ crew, isChosen, onToggle }: CrewProps) {
  const { definition } = crew;
  const name = crew.name || crew.source || "Crew";
  return (
    <Card title={name}>
      <div className="grid gap-3 p-4">
        {crew.source && <code className="font-mono text-xs text-ink-faint">{crew.source}</code>}
        {definition === null && (
          <>
            <Alert tone="err" title="This crew cannot be imported" />
            <YamlProblemList problems={crew.problems} />
          </>
        )}
        {definition !== null && onToggle && (
          <Checkbox label={`Import ${name}`} checked={isChosen} onChange={onToggle} />
        )}
        {definition !== null && (
          <dl
            aria-label={`Kept of ${name}`}
            className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1"
          >
            {describeKept(definition).map(([label, values]) => (
              <div key={label} className="contents">
                <dt className="text-ink-soft">{label}</dt>
                <dd className="break-words">{values.join(", ") || "none"}</dd>
              </div>
            ))}
          </dl>
        )}
        <ImportLosses label={`Left out of ${name}`} findings={crew.warnings} />
      </div>
    </Card>
  );
}
