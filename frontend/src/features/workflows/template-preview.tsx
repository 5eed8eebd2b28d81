import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { YamlView } from "@/components/yaml-view";
import type { Template } from "@/lib/api/types";

import { TemplateFacts } from "./template-card";

interface Props {
  /** The name of the template in the URL. */
  name?: string;
  templates?: Template[];
  busy: boolean;
  error: Error | null;
  onUse: (template: Template) => void;
  onClose: () => void;
}

/** The document of a template. */
export function TemplatePreview({ name, templates, busy, error, onUse, onClose }: Props) {
  if (!name || !templates) return null;
  const template = templates.find((one) => one.name === name);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={template?.title ?? "Template not found"}
      description={template?.description}
      className="w-[min(52rem,calc(100vw-1.5rem))]"
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          {template && (
            <Button variant="primary" busy={busy} onClick={() => onUse(template)}>
              Use template
            </Button>
          )}
        </>
      }
    >
      {template ? (
        <div className="grid gap-3">
          <div className="grid gap-2">
            <TemplateFacts template={template} />
          </div>
          {error && <ErrorPanel error={error} />}
          <YamlView
            text={template.yaml}
            label={`Document of ${template.title}`}
            className="max-h-[50dvh]"
          />
        </div>
      ) : (
        <Alert tone="warn" title={`There is no template named “${name}”.`} />
      )}
    </Dialog>
  );
}
