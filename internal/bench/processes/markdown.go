package processes

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteMarkdown prints the table.
func (t Table) WriteMarkdown(w io.Writer) error {
	var out strings.Builder
	out.WriteString("| Scenario |")
	for _, l := range t.Libraries {
		fmt.Fprintf(&out, " %s |", l.Name)
	}
	out.WriteString("\n|-" + strings.Repeat("|-", len(t.Libraries)) + "|\n")
	for _, row := range t.Rows {
		fmt.Fprintf(&out, "| %s |", row.Scenario)
		for _, c := range row.Cells {
			fmt.Fprintf(&out, " %s |", c)
		}
		out.WriteString("\n")
	}
	fmt.Fprintf(&out, "\nEach reader was watched for up to %v, with Redis %s.\n", t.Window, t.Redis)
	_, err := io.WriteString(w, out.String())
	return err
}

// String returns for how long reads were stale without a sign, in bold if that is longer
// than the bound, and the signs.
func (c Cell) String() string {
	text := fmt.Sprintf("%.1f s", c.Silent.Seconds())
	switch {
	case c.None:
		return "–"
	case c.Open:
		text = "> " + fmt.Sprintf("%.0f s", c.Silent.Seconds())
	case c.Silent == 0:
		text = "0 s"
	case c.Silent < 50*time.Millisecond:
		text = "< 0.1 s"
	}
	if c.Bold() {
		text = "**" + text + "**"
	}
	if c.Told > 0 {
		text += " + event"
	}
	if c.Errors > 0 {
		text += " + errors"
	}
	if c.Flagged > 0 {
		text += " + flagged"
	}
	return text
}
