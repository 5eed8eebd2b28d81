import { Monitor, Moon, Sun } from "lucide-react";

/** The theme options with their labels and icons. */
export const THEME_CHOICES = [
  { value: "light", label: "Light", Icon: Sun },
  { value: "dark", label: "Dark", Icon: Moon },
  { value: "system", label: "System", Icon: Monitor },
] as const;
