import { useQuery } from "@tanstack/react-query";

import { Alert } from "@/components/ui/alert";
import { aboutQuery } from "@/lib/queries/system";

/** Says why this server does not run projects, and how to change that; nothing if it does. */
export function ProjectsNotice() {
  const { data: about } = useQuery(aboutQuery());
  const projects = about?.projects;
  if (projects?.state === "off") {
    return (
      <Alert tone="warn" title="Projects do not run on this server: they are turned off">
        Set <code className="font-mono">PROJECTS=auto</code> in the environment of the server and
        restart it. Uploaded projects can be read meanwhile.
      </Alert>
    );
  }
  if (projects?.state === "unavailable") {
    return (
      <Alert tone="warn" title="Projects do not run on this server: it has no sandbox for them">
        {sentence(projects.message)} To fix it: {sentence(projects.hint)} Then restart the server.
        Uploaded projects can be read meanwhile.
      </Alert>
    );
  }
  return null;
}

/** With a full stop at the end; the server's texts are parts of log lines. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
