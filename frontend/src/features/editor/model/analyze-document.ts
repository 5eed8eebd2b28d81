import type { WorkflowDefinition } from "@/lib/api/types";

import { checkSyntax } from "./check-syntax";
import { getSpan, memberId, parseWorkflow, type Span } from "./parse-workflow";
import type { EditorProblem } from "./problems";
import { readDefinition } from "./read-definition";

/** The position of an agent or task in the text. */
export interface MemberRange {
  id: string;
  name: Span;
  span: Span;
}

/** What the browser can tell about a text without the server. */
export interface DocumentAnalysis {
  syntaxProblems: EditorProblem[];
  /** Null while the text cannot be drawn. */
  definition: WorkflowDefinition | null;
  members: MemberRange[];
}

export function analyzeDocument(text: string): DocumentAnalysis {
  const parsed = parseWorkflow(text);
  return {
    syntaxProblems: checkSyntax(parsed),
    definition: readDefinition(parsed),
    members: [...parsed.agents, ...parsed.tasks].map((member) => ({
      id: memberId(member),
      name: getSpan(member.name),
      span: member.span,
    })),
  };
}

export function findMemberAt(members: MemberRange[], position: number): MemberRange | undefined {
  return members.find(({ span }) => span.from <= position && position < span.to);
}
