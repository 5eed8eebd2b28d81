import { Bot, ListPlus, SquarePen } from "lucide-react";
import { useMemo, useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { toast } from "@/lib/toast";

import type { Known } from "../completion/complete";
import { parse, type Member, type MemberKind, type Parsed } from "../model/document";

import { valuesOf, writtenFor } from "./form-values";
import { NodeForm, type Names } from "./node-form";
import { NodeHead } from "./node-head";
import { NotWritable, withField } from "./write-field";
import { renamed, withNew, without } from "./write-member";

interface Props {
  text: string;
  node: string | null;
  known: Known;
  onText: (text: string) => void;
  onNode: (node: string | null) => void;
}

/** The selected agent or task as a form; every change is written into the document itself. */
export function FormPane({ text, node, known, onText, onNode }: Props) {
  const parsed = useMemo(() => parse(text), [text]);
  const [fault, setFault] = useState<string | null>(null);
  const revision = useRevision(text);
  const members = [...parsed.agents, ...parsed.tasks];
  const member = members.find((one) => `${one.kind}:${one.key}` === node);

  const attempt = (change: () => string) => {
    try {
      const next = change();
      setFault(null);
      revision.wrote(next);
      onText(next);
    } catch (error) {
      if (!(error instanceof NotWritable)) throw error;
      setFault(error.message);
    }
  };
  const add = (kind: MemberKind) =>
    attempt(() => {
      const { text: next, id } = withNew(text, kind);
      onNode(id);
      return next;
    });
  const remove = (gone: Member) =>
    attempt(() => {
      const next = without(text, `${gone.kind}:${gone.key}`);
      onNode(null);
      toast.undo(`Deleted ${gone.kind} ${gone.key}`, () => onText(text));
      return next;
    });

  if (parsed.doc.errors.length > 0) {
    return (
      <Alert tone="warn" title="The form rests" className="m-4">
        The document is not valid YAML at the moment. Mend it there first.
      </Alert>
    );
  }
  return (
    <div className="grid gap-4 p-4">
      <div className="flex flex-wrap gap-2">
        <Button size="sm" onClick={() => add("agent")}>
          <Bot aria-hidden />
          Add agent
        </Button>
        <Button size="sm" onClick={() => add("task")}>
          <ListPlus aria-hidden />
          Add task
        </Button>
      </div>
      {fault && <Alert tone="err" title={fault} />}
      {member ? (
        <section
          key={`${node}:${revision.number}`}
          aria-label={`${member.kind === "agent" ? "Agent" : "Task"} ${member.key}`}
          className="grid max-w-2xl gap-4"
        >
          <NodeHead
            member={member}
            taken={members
              .filter((one) => one.kind === member.kind && one !== member)
              .map((one) => one.key)}
            onDelete={() => remove(member)}
            onRename={(name) =>
              attempt(() => {
                const written = renamed(text, node ?? "", name);
                onNode(written.id);
                return written.text;
              })
            }
          />
          <NodeForm
            member={member}
            names={namesFor(parsed, member, known)}
            onWrite={(field, value) =>
              attempt(() => withField(text, node ?? "", field.name, writtenFor(field, value)))
            }
          />
        </section>
      ) : (
        <EmptyState icon={SquarePen} title="Pick an agent or a task">
          Its fields appear here. Comments and everything else in the YAML stay as they are.
        </EmptyState>
      )}
    </div>
  );
}

/** Grows when the text was changed by other hands than the form's: the form then begins anew. */
function useRevision(text: string) {
  const [state, setState] = useState({ text, number: 0 });
  if (state.text !== text) setState({ text, number: state.number + 1 });
  return {
    number: state.number,
    wrote: (next: string) => setState(({ number }) => ({ text: next, number })),
  };
}

/** Names that are there but not registered stay choosable, so that nothing is lost by opening the form. */
function namesFor({ agents, tasks }: Parsed, member: Member, known: Known): Names {
  const here = tasks.findIndex((task) => task.key === member.key && member.kind === "task");
  const own = valuesOf(member);
  return {
    agents: withOwn(
      agents.map((agent) => agent.key),
      own.agent,
    ),
    earlier: withOwn(
      tasks.slice(0, Math.max(0, here)).map((task) => task.key),
      own.context,
    ),
    models: withOwn(known.models, own.llm),
    tools: withOwn(known.tools, own.tools),
    embedders: known.embedders,
  };
}

function withOwn(names: string[], own: string | boolean | string[] | undefined): string[] {
  const mine = (Array.isArray(own) ? own : [own]).filter(
    (name): name is string => typeof name === "string" && name !== "",
  );
  return [...new Set([...names, ...mine])];
}
