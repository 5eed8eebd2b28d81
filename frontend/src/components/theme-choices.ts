import { Monitor, Moon, Sun } from "lucide-react";

/** The themes one can choose, by icon and word. */
export const THEMES = [
  { value: "light", label: "Light", Icon: Sun },
  { value: "dark", label: "Dark", Icon: Moon },
  { value: "system", label: "System", Icon: Monitor },
] as const;
