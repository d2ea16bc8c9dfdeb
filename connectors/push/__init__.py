"""What one-stop systems send to us, by the calls that they make to the national portal; see docs/push.md.

`calls` reads a call, `accounts` knows who may send what, `replies` speaks in the portal's form, `door` does what a call
asks. There is no web framework here: a call comes as bytes, the reply goes as an object.
"""

from connectors.push.calls import Sent
from connectors.push.door import PushDoor
from connectors.push.replies import Reply

__all__ = ["PushDoor", "Reply", "Sent"]
