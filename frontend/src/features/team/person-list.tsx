import type { Person } from "@/lib/api/types";

import { PersonRow } from "./person-row";

export function PersonList({ people }: { people: Person[] }) {
  return (
    <ul aria-label="People" className="divide-y divide-line">
      {people.map((person) => (
        <PersonRow key={person.id} person={person} />
      ))}
    </ul>
  );
}
