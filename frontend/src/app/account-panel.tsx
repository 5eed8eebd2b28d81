import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Keyboard, LogOut, Settings, UserRound } from "lucide-react";

import { signOut } from "@/lib/api/client";
import { useIsRemembered } from "@/lib/api/session";
import { meQuery } from "@/lib/queries/team";
import { roleLabel } from "@/lib/roles";

import { WorkspaceSwitch } from "./workspace-switch";

const ROW =
  "flex min-h-8 w-full items-center gap-2.5 rounded-sm px-2.5 text-left hover:bg-hover focus-visible:-outline-offset-2 max-sm:min-h-11 [&_svg]:size-4 [&_svg]:text-ink-soft";

interface Props {
  onFollow: () => void;
  onShowShortcuts: () => void;
}

/** Content of the account menu. */
export function AccountPanel({ onFollow, onShowShortcuts }: Props) {
  const remembered = useIsRemembered();
  const { data: me } = useQuery(meQuery());
  return (
    <>
      <div className="border-b px-3.5 py-2.5">
        <p className="font-medium break-words">
          {me?.personId ? me.name : "Signed in with an API key"}
        </p>
        {me?.personId && (
          <p className="text-xs break-words text-ink-soft">
            {roleLabel(me.workspace.role)} in {me.workspace.name}
          </p>
        )}
        <p className="text-xs text-ink-faint">
          {remembered ? "Remembered on this device" : "Until the browser is closed"}
        </p>
      </div>
      {me && me.workspaces.length > 1 && <WorkspaceSwitch me={me} />}
      <div className="grid p-1">
        <Link to="/account" onClick={onFollow} className={ROW}>
          <UserRound aria-hidden />
          Your account
        </Link>
        <Link to="/settings" onClick={onFollow} className={ROW}>
          <Settings aria-hidden />
          Settings
        </Link>
        <button type="button" onClick={onShowShortcuts} className={ROW}>
          <Keyboard aria-hidden />
          Keyboard shortcuts
        </button>
      </div>
      <div className="border-t p-1">
        <button type="button" onClick={signOut} className={ROW}>
          <LogOut aria-hidden />
          Sign out
        </button>
      </div>
    </>
  );
}
