import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { UserPlus, Users } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import { invitationsQuery, peopleQuery } from "@/lib/queries/team";

import { InvitationList } from "./invitation-list";
import { InviteDialog } from "./invite-dialog";
import { PersonList } from "./person-list";

/** The people of the workspace, their roles, and open invitations. */
export function PeoplePage() {
  const [isInviting, setIsInviting] = useState(false);
  const list = useInfiniteQuery(peopleQuery());
  const invitations = useQuery(invitationsQuery());
  const people = list.data?.pages.flatMap((page) => page.people) ?? [];
  const open = invitations.data ?? [];
  const invite = (
    <Allowed scope="people:write">
      <Button variant="primary" onClick={() => setIsInviting(true)}>
        <UserPlus aria-hidden />
        Invite someone
      </Button>
    </Allowed>
  );
  return (
    <Page
      title="People"
      description="Who can sign in to this workspace, and what they may do."
      actions={people.length > 0 && invite}
    >
      {list.isPending ? (
        <SkeletonRows className="rounded-lg border bg-surface" />
      ) : list.isError && people.length === 0 ? (
        <ErrorPanel error={list.error} onRetry={() => list.refetch()} />
      ) : people.length === 0 ? (
        <EmptyState icon={Users} title="Only the API key can sign in" actions={invite}>
          Invite the people you work with. Each gets an account of their own, with a role.
        </EmptyState>
      ) : (
        <Card>
          <PersonList people={people} />
        </Card>
      )}
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          More people
        </LoadMore>
      )}
      {open.length > 0 && (
        <Card title="Open invitations">
          <InvitationList invitations={open} />
        </Card>
      )}
      <InviteDialog open={isInviting} onClose={() => setIsInviting(false)} />
    </Page>
  );
}
