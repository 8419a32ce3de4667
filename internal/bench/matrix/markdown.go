package matrix

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown prints the matrix as a table, with the reasons for the empty
// cells below it.
func (m Matrix) WriteMarkdown(w io.Writer) error {
	var out strings.Builder
	out.WriteString("| Scenario |")
	for _, d := range m.Drivers {
		fmt.Fprintf(&out, " %s |", d.Name)
	}
	out.WriteString("\n|-" + strings.Repeat("|-", len(m.Drivers)) + "|\n")
	var notes footnotes
	for _, row := range m.Rows {
		fmt.Fprintf(&out, "| %s |", row.Scenario)
		for _, c := range row.Cells {
			if c.NA != "" {
				fmt.Fprintf(&out, " n/a [%d] |", notes.number(c.NA))
			} else {
				fmt.Fprintf(&out, " %s |", c)
			}
		}
		out.WriteString("\n")
	}
	out.WriteString("\n")
	for i, note := range notes {
		fmt.Fprintf(&out, "%d. %s.\n", i+1, note)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// String returns the cell as "L1/L2, result", and its notes. The result is bold when
// the divergence is silent.
func (c Cell) String() string {
	told := c.Told
	if c.Silent {
		told = "**" + told + "**"
	}
	text := fmt.Sprintf("%s/%s, %s", c.L1, c.L2, told)
	switch {
	case c.Telemetry.Events > 0:
		text += " + event"
	case c.Telemetry.Errors > 0:
		text += " + count"
	}
	if c.Note != "" {
		text += "; " + c.Note
	}
	return text
}

// footnotes numbers texts in the order in which they come.
type footnotes []string

func (f *footnotes) number(text string) int {
	for i, known := range *f {
		if known == text {
			return i + 1
		}
	}
	*f = append(*f, text)
	return len(*f)
}
