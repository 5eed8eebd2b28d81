import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";

interface Props {
  newest: number;
  value: number;
  onChange: (version: number) => void;
}

/** Chooses a version of the project. */
export function VersionChoice({ newest, value, onChange }: Props) {
  return (
    <Field label="Version">
      <Select
        className="w-auto"
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
      >
        {Array.from({ length: newest }, (_, index) => newest - index).map((number) => (
          <option key={number} value={number}>
            {number}
            {number === newest && " (newest)"}
          </option>
        ))}
      </Select>
    </Field>
  );
}
