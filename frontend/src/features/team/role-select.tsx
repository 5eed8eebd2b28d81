import type { ComponentProps } from "react";

import { Select } from "@/components/ui/input";
import { ROLES } from "@/lib/roles";

/** A choice of role. */
export function RoleSelect(props: ComponentProps<"select">) {
  return (
    <Select {...props}>
      {ROLES.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </Select>
  );
}
